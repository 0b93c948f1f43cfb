DROP TABLE mini_app_sign_ins;
DROP TABLE claim_codes;
DROP TABLE telegram_owners;
