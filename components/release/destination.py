"""Where reports are kept under a stable key: reports/<pipeline>/<run>/ in a folder or an object store."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.core.errors import StorageError
from components.core.kfp_facts import store_endpoint

# KFP names S3-compatible stores by product; to a client they are all s3.
_PROTOCOLS = {"minio": "s3"}


def report_key(root: str, pipeline: str, run_id: str) -> str:
    """The address of a run's report: the root, then reports/<pipeline>/<run>."""
    return f"{root.rstrip('/')}/reports/{pipeline}/{run_id}"


def store_root(artifact_uri: str) -> str:
    """The root of the store that an artifact lies in: its bucket, or locally the pipeline root.

    Args:
        artifact_uri: minio://bucket/…, s3://bucket/…, gs://bucket/…, or a local path <root>/<run>/<task>/<output>.
    """
    protocol, separator, rest = artifact_uri.partition("://")
    if not separator:
        return str(Path(artifact_uri).parents[2])
    return f"{_PROTOCOLS.get(protocol, protocol)}://{rest.split('/')[0]}"


def publish(folder: Path, address: str, store_metadata: Mapping[str, Any]) -> None:
    """Copy a folder to an address, replacing what is there.

    Args:
        folder: What to copy.
        address: A local folder, or an address that fsspec understands (s3://bucket/key).
        store_metadata: Metadata of an input artifact; names the endpoint of an S3-compatible store.

    Raises:
        StorageError: The address cannot be written to.
    """
    import fsspec
    from botocore.exceptions import BotoCoreError

    endpoint = store_endpoint(store_metadata)
    options = {"endpoint_url": endpoint} if endpoint and address.startswith("s3://") else {}
    try:
        files, target = fsspec.core.url_to_fs(address, **options)
        files.makedirs(target, exist_ok=True)
        for path in sorted(folder.iterdir()):
            files.put_file(str(path), f"{target}/{path.name}")
    except (OSError, ImportError, ValueError, BotoCoreError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise StorageError(
            address,
            f"the report cannot be written there ({reason})",
            "Check the address, the endpoint and the credentials, or set the pipeline parameter reports_uri",
        ) from error
