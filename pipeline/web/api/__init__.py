"""The JSON API, one module a purpose. Described by /api/openapi.json."""
