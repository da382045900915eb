"""Answers that several pages give."""

from django.http import HttpResponseRedirect


class SeeOther(HttpResponseRedirect):
    """303: look there with a GET, whatever the method was."""

    status_code = 303
