"""The subcommands of `hwgen`, each a thin function from parsed arguments to an Outcome."""
