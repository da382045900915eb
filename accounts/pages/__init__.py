"""The pages of an account: thin doorways that unpack a request, call one service and show what became of it."""
