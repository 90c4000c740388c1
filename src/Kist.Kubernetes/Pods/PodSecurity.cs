using System.Globalization;
using Kist.Host;
using Kist.Pods.Protocol;

namespace Kist.Kubernetes;

/// <summary>The security contexts of pod and container, the container's first.</summary>
sealed class PodSecurity
{
    /// <summary>Beyond the default set, what a container may have without reaching the agent beside it.</summary>
    private static readonly string[] MayBeAdded = ["CAP_IPC_LOCK", "CAP_NET_ADMIN", "CAP_NET_BROADCAST", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_LEASE", "CAP_WAKE_ALARM"];

    private readonly ManifestObject _pod, _container;
    private readonly ManifestReview _review;
    private readonly bool _isLocal;

    public PodSecurity(ManifestObject spec, ManifestObject container, ManifestReview review, bool isLocal)
    {
        _isLocal = isLocal;
        _review = review;
        _pod = spec.OptionalChild("securityContext") ?? ManifestObject.Empty;
        _container = container.OptionalChild("securityContext") ?? ManifestObject.Empty;
        PodFields.ContainerSecurity.Check(_container, review);
        if (_container.Flag("allowPrivilegeEscalation"))
            review.Warn(_container.PlaceOf("allowPrivilegeEscalation"), "set-user-id programs gain nothing in a guest");
        CheckSeccomp(_pod);
        CheckSeccomp(_container);
    }

    public bool ReadOnlyRoot => _container.Flag("readOnlyRootFilesystem");

    /// <summary>Texts that mean the right user.</summary>
    public IReadOnlyList<string> Users(string imageUser, string place)
    {
        var user = _container.OptionalInteger("runAsUser") ?? _pod.OptionalInteger("runAsUser");
        var group = _container.OptionalInteger("runAsGroup") ?? _pod.OptionalInteger("runAsGroup");
        if (group is not null && user is null)
            _review.Refuse(place, "runAsGroup without runAsUser", "give both");
        var text = user is null ? (imageUser.Length == 0 ? "0" : imageUser) : Number(user.Value);
        var mustNotBeRoot = _container.OptionalFlag("runAsNonRoot") ?? _pod.Flag("runAsNonRoot");
        if (mustNotBeRoot && text.Split(':')[0] is "0" or "root")
            _review.Refuse(place, "runAsNonRoot, but the image's user is root", "set runAsUser");
        if (group is not null)
            return [$"{text}:{Number(group.Value)}"];
        // The guest itself looks names up, in the image's own files, unless somebody in between has done it.
        if (_isLocal)
            return [text];
        if (!text.Replace(":", "", StringComparison.Ordinal).All(char.IsAsciiDigit))
        {
            // containerd looks the name up in files of the host's and says a number, which nobody could judge.
            _review.Refuse(place, $"the image's user \"{text}\" is a name, which the host would look up", "set runAsUser and runAsGroup");
        }

        return text.Contains(':', StringComparison.Ordinal) ? [text] : [text, $"{text}:0"];
    }

    /// <summary>The user that the manifest names, as "uid" or "uid:gid"; empty if the image's is to be taken.</summary>
    public string NamedUser(string place) =>
        (_container.OptionalInteger("runAsUser") ?? _pod.OptionalInteger("runAsUser")) is null ? "" : Users("", place)[0];

    /// <summary>The bounding set.</summary>
    public IReadOnlyList<string> Capabilities()
    {
        var capabilities = _container.OptionalChild("capabilities") ?? ManifestObject.Empty;
        var names = new SortedSet<string>(DefaultCapabilities.Names, StringComparer.Ordinal);
        var dropped = capabilities.Strings("drop").Select(Name).ToList();
        if (dropped.Contains("CAP_ALL"))
            names.Clear();
        names.ExceptWith(dropped);
        foreach (var added in capabilities.Strings("add").Select(Name))
        {
            if (DefaultCapabilities.Names.Contains(added) || MayBeAdded.Contains(added))
                names.Add(added);
            else
                _review.Refuse(capabilities.PlaceOf("add"), $"{added} would let the container reach what runs beside it in the guest");
        }

        return [.. names];
    }

    private void CheckSeccomp(ManifestObject context)
    {
        if (context.OptionalChild("seccompProfile") is { } profile && profile.Text("type") is not "RuntimeDefault" and var type)
            _review.Warn(profile.PlaceOf("type"), $"{type} has no effect: the agent's own profile always applies");
    }

    private static string Name(string text) => text.StartsWith("CAP_", StringComparison.Ordinal) ? text : $"CAP_{text}";

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
