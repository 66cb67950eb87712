"""Entry point of Lambda, which imports this module in the init phase.

Settings are read and clients are made here, before the first event. No other module does so when it is imported.
"""

import os

from presign_upload.composition import compose

handler = compose(os.environ)
