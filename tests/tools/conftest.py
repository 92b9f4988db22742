import torch

# The networks of these tests are far too small to share between threads.
torch.set_num_threads(1)
