"""Plans and the signed-in person's subscription, for programs: /api/plans/ and /api/me/ (docs/api/openapi.yaml)."""
