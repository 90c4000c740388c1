namespace Kist.Kubernetes;

/// <summary>Commands that the manifest itself asks kubelet to run in a container: probes and hooks.</summary>
static class ManifestCommands
{
    private static readonly string[] Probes = ["livenessProbe", "readinessProbe", "startupProbe"], Hooks = ["postStart", "preStop"];

    public static IEnumerable<IReadOnlyList<string>> Of(ManifestObject container)
    {
        var actions = Probes.Select(container.OptionalChild);
        if (container.OptionalChild("lifecycle") is { } lifecycle)
            actions = actions.Concat(Hooks.Select(lifecycle.OptionalChild));
        return actions.Select(a => a?.OptionalChild("exec")?.Strings("command")).OfType<IReadOnlyList<string>>().Where(c => c.Count > 0);
    }
}
