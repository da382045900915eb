"""Objects as API version 2023-10-16 shows them, made from the pinned shape; one file for each subject."""
