"""Events: made when something happens, planned for every endpoint, sent, and sent again."""
