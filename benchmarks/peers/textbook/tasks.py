"""The task that each event gets. Nobody runs it here: only the request is measured."""

import os

from celery import Celery

app = Celery("textbook", broker=os.environ["BROKER_URL"])
if folder := os.environ.get("BROKER_FOLDER"):
    app.conf.broker_transport_options = {"data_folder_in": folder, "data_folder_out": folder}


@app.task(ignore_result=True)
def process_event(event_pk: int) -> None:
    """What a shop does with it."""
