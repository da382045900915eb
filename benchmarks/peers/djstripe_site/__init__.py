"""dj-stripe as its documentation sets it up, as a project of its own."""
