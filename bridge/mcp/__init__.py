"""The Model Context Protocol, pure: it knows neither carrier nor side."""
