-- Read by no query: lists look at users in their order, and how many can be reached is a sum.
DROP INDEX telegram_users_reachable;
