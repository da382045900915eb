"""Settings, processes and development tools of the project; it names the apps only by string."""
