"""The database as a whole: kept in a file, brought back, compared with what the migrations make."""
