"""Parameters as validated models, one ``deploy()`` for scripts and tests, and the address book."""
