DROP FUNCTION sqlstate_of(TEXT);
