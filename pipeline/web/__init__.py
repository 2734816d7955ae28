"""The web application and the static review. Both show the same view of a document; see ``view``."""
