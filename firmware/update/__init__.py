"""New models: when to ask for one, whether this board can use it, and its trial beside the old one."""
