"""Makes `pytest specs` work in a checkout whose package is not installed. An installed
package brings the same plugin.
"""

pytest_plugins = ["contracts.pytest_plugin"]
