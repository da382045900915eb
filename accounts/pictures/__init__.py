"""Pictures of what is sold: kept in the database, so that a back-up has them and a container needs no disk."""
