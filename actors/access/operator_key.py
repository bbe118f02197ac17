"""The key of the recipes on the machine of a service, which work whatever keys there are or are not.

`start` makes it, a new one each time. The key itself lies in the record of the running service, for its user
alone and until that is stopped; the processes are given its hash, in their environment.
"""

from typing import Final

#: The variable with the hash.
OPERATOR_KEY: Final = "QUINTET_OPERATOR_KEY"
