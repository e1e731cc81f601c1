"""Where a step runs: its image and its resources, on a cluster or on this machine."""

from typing import Any, Protocol

from kfp import kubernetes

from components.core.scratch import VARIABLE as SCRATCH
from pipelines.images import cluster_image, local_image
from pipelines.recipe import Resources, StageResources

# A pod runs as a numeric user that has no name (torch asks for one) and whose home cannot be written.
_ENVIRONMENT = {"HOME": "/tmp", "USER": "harmo", "TOKENIZERS_PARALLELISM": "false"}
_SCRATCH = "/scratch"
_STORE_SECRET = "mlpipeline-minio-artifact"


class Placement(Protocol):
    """Puts tasks somewhere."""

    def place(self, task: Any, stage: str, resources: str = "") -> Any:
        """Set a task's image and resources.

        Args:
            task: The KFP task.
            stage: Folder under components/ whose code it runs.
            resources: Which of the recipe's resources it gets; the stage's own by default.

        Returns:
            The task.
        """


class LocalPlacement:
    """In this interpreter: only the cache key needs an image's name."""

    def place(self, task: Any, stage: str, resources: str = "") -> Any:
        """Name the code in place of an image."""
        del resources
        return task.set_container_image(local_image(stage))


class ClusterPlacement:
    """On Kubeflow.

    Args:
        resources: What each stage asks for.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def place(self, task: Any, stage: str, resources: str = "") -> Any:
        """Set image, resources and a writable home.

        All are constants: resources from a pipeline parameter fail inside an exit handler, and a GPU count
        from an int parameter is silently dropped (KFP 2.17).
        """
        asked: StageResources = getattr(self._resources, resources or stage)
        task.set_container_image(cluster_image(stage))
        task.set_cpu_request(asked.cpu).set_cpu_limit(asked.cpu_limit)
        task.set_memory_request(asked.memory).set_memory_limit(asked.memory_limit)
        for name, value in {**_ENVIRONMENT, "OMP_NUM_THREADS": str(asked.threads)}.items():
            task.set_env_variable(name, value)
        if asked.scratch_claim:
            kubernetes.mount_pvc(task, pvc_name=asked.scratch_claim, mount_path=_SCRATCH)
            task.set_env_variable(SCRATCH, _SCRATCH)
        if asked.gpus:
            task.set_accelerator_type(asked.gpu_type).set_accelerator_limit(str(asked.gpus))
            kubernetes.empty_dir_mount(
                task, volume_name="dshm", mount_path="/dev/shm", medium="Memory", size_limit=asked.shared_memory
            )
        if stage == "release":
            keys = {"accesskey": "AWS_ACCESS_KEY_ID", "secretkey": "AWS_SECRET_ACCESS_KEY"}
            kubernetes.use_secret_as_env(task, secret_name=_STORE_SECRET, secret_key_to_env=keys, optional=True)
        return task
