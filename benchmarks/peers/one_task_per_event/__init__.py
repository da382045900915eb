"""The product with another way to process: a Celery task for each event, which runs our own apply for it alone."""
