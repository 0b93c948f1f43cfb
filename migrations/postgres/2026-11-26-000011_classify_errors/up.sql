-- The SQLSTATE with which a statement fails, or NULL where it does not. Nothing of it stays: what a
-- block with an exception has done is taken back. Deferred constraints are checked as at a commit.
CREATE FUNCTION sqlstate_of(statement TEXT) RETURNS TEXT LANGUAGE plpgsql AS $$
DECLARE
    succeeded BOOLEAN := FALSE;
BEGIN
    EXECUTE statement;
    SET CONSTRAINTS ALL IMMEDIATE;
    succeeded := TRUE;
    RAISE EXCEPTION 'taken back';
EXCEPTION
    -- A statement that was cancelled, for example by statement_timeout, is not among the others.
    WHEN query_canceled OR assert_failure OR OTHERS THEN
        RETURN CASE WHEN succeeded THEN NULL ELSE SQLSTATE END;
END
$$;
