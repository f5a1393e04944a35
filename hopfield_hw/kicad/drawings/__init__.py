"""The drawings of a project's sheets: from an assembly to what is placed where."""
