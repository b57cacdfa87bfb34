"""The JSON Schemas (draft 2020-12) that say what a registry file may hold."""
