"""Tokens for modules, for programs: docs/api/openapi.yaml."""
