"""What tests share: signals, fakes, and what the machine has to offer."""
