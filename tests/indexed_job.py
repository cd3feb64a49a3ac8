"""What the indexed Jobs of examples/cluster have in common."""

import yaml


def read(path):
    """Checks a Job's file; returns its container, its number of completions and the variable SHARDS."""
    job = yaml.safe_load(path.read_text())
    assert (job["apiVersion"], job["kind"], job["spec"]["completionMode"]) == ("batch/v1", "Job", "Indexed")
    pod = job["spec"]["template"]["spec"]
    container = pod["containers"][0]
    variables = {item["name"]: item["value"] for item in container["env"]}
    assert int(variables["SHARDS"]) == job["spec"]["completions"] and pod["restartPolicy"] in ("OnFailure", "Never")
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    return container, job["spec"]["completions"], variables["SHARDS"]
