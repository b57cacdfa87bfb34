"""The demo CRM: plain WSGI, for people who want to try the bridge without a system of their own."""
