import pytest

from payments import bell


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup):
    """The bell that deliveries ring has a connection, and a database in use can't be dropped."""
    yield
    bell.stop()
