"""To do: what needs a person, from small registered sources, and what was done without one."""

from payments.todo import money, people, road
from payments.todo.done import Done, done_since, settled_at, start_of_day
from payments.todo.sources import Page, Source, Todo, TodoItem, count_todo, find_todo, needs_a_person, waiting_rows

__all__ = [
    "Done",
    "Page",
    "Source",
    "Todo",
    "TodoItem",
    "count_todo",
    "done_since",
    "find_todo",
    "money",
    "needs_a_person",
    "people",
    "road",
    "settled_at",
    "start_of_day",
    "waiting_rows",
]
