"""DRF, construct_event, get_or_create, .delay(): the webhook of the tutorials, as a project of its own."""
