"""Pictures of what the 2014 paper says, each made by a command."""
