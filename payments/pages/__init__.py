"""Plans and the person's own subscription: thin doorways that unpack a request, call one service and show the end."""
