"""The timeline: an order, a subscription or a person tells its story in sentences, and one says how it stands."""

from payments.timeline.moments import Holding, Kind, Moment
from payments.timeline.standing import standing
from payments.timeline.statements import Statement, statements_of
from payments.timeline.story import Story, Subject, story

__all__ = ["Holding", "Kind", "Moment", "Statement", "Story", "Subject", "standing", "statements_of", "story"]
