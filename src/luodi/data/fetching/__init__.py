"""From afar to the store: each kind of source through its own library, once.

fetch(source, access, progress)      everything of a source, in the store
peers.py      whom a fetch may connect to        web.py      HTTP, polite and patient
pieces.py     batches on the disk, to go on from messages.py a sensor's message as a row
sql.py · api.py · download.py · objects.py · crawl.py · mqtt.py · kafka.py
"""

from luodi.data.fetching.fetch import Access as Access
from luodi.data.fetching.fetch import fetch as fetch
