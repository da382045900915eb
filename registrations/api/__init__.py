"""The same as the public pages, for programs: /api/ (docs/api/openapi.yaml)."""
