"""An e-mail field that stores lower case: the same person in any spelling, found by one plain index."""

from typing import Any

from django.db import models


class LowercaseEmailField(models.EmailField):
    """Lower-cases and strips on the way to the database, in look-ups as well as on save."""

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return value.strip().lower() if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(super().get_prep_value(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.to_python(getattr(model_instance, self.attname))
        setattr(model_instance, self.attname, value)
        return value
