using System.Text;
using Kist.Host;
using Kist.Images.Secrets;
using Kist.Pods.Protocol;

namespace Kist.Kubernetes;

/// <summary>A pod's volumes, and how containers mount them.</summary>
sealed class PodVolumes
{
    private const string ServiceAccountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
    private const uint DefaultMode = 0x1a4; // 0644

    private readonly Dictionary<string, PinnedVolume> _volumes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _sealed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte[]> _contents;
    private readonly ManifestSet _set;
    private readonly PodFacts _facts;
    private readonly GenerateOptions _options;
    private readonly ManifestReview _review;
    private readonly bool _mountsServiceAccount;

    /// <param name="set">All manifests.</param>
    /// <param name="spec">The pod's.</param>
    /// <param name="facts">What is known of it.</param>
    /// <param name="options">What its owner allows.</param>
    /// <param name="review">Receives refusals.</param>
    /// <param name="contents">Receives the files' content by its digest.</param>
    public PodVolumes(ManifestSet set, ManifestObject spec, PodFacts facts, GenerateOptions options, ManifestReview review, Dictionary<string, byte[]> contents)
    {
        (_set, _facts, _options, _review, _contents) = (set, facts, options, review, contents);
        foreach (var volume in spec.Children("volumes"))
        {
            if (Read(volume) is { } pinned && !_volumes.TryAdd(pinned.Volume.Name, pinned))
                throw volume.Malformed("name", "is given to two volumes");
        }

        _mountsServiceAccount = !options.IsLocal && (spec.OptionalFlag("automountServiceAccountToken") ?? true);
        if (_mountsServiceAccount && !options.AllowServiceAccountToken)
        {
            review.Refuse(
                spec.PlaceOf("automountServiceAccountToken"), "the cluster would put a token and a certificate of its own choice into every container",
                "set automountServiceAccountToken: false, or accept that: --allow-service-account-token");
        }
    }

    /// <summary>What a container of the pod has mounted.</summary>
    public IReadOnlyList<PinnedVolume> Mounts(ManifestObject container)
    {
        var mounts = container.Children("volumeMounts").Select(Mount).OfType<PinnedVolume>().ToList();
        if (_mountsServiceAccount && mounts.All(m => m.Volume.MountPath != ServiceAccountPath))
            mounts.Add(new PinnedVolume(new VolumeInput("kube-api-access", ServiceAccountPath, true, "files"), IsContentFree: true));
        foreach (var twice in mounts.GroupBy(m => m.Volume.MountPath).Where(g => g.Count() > 1))
            throw container.Malformed("volumeMounts", $"have {twice.Key} twice");
        return mounts;
    }

    /// <summary>The sealed secrets among the files of volumes.</summary>
    public IEnumerable<string> SealedIn(IReadOnlyList<PinnedVolume> volumes) =>
        volumes.SelectMany(v => v.Volume.Files).Select(f => _sealed.GetValueOrDefault(f.Digest)).OfType<string>();

    private PinnedVolume? Mount(ManifestObject mount)
    {
        foreach (var name in mount.Names.Except(["name", "mountPath", "readOnly", "recursiveReadOnly"]))
        {
            if (name == "mountPropagation" && mount.Text(name) == "None")
                continue;
            _review.Refuse(mount.PlaceOf(name), name is "subPath" or "subPathExpr" ? "parts of volumes cannot be mounted" : "is not known here");
        }

        var path = mount.Text("mountPath").TrimEnd('/');
        if (!path.StartsWith('/') || path.Split('/').Contains(".."))
            throw mount.Malformed("mountPath", "is not an absolute path");
        if (!_volumes.TryGetValue(mount.Text("name"), out var volume))
        {
            // What was refused above has no volume; anything else is a mistake.
            if (!_review.Remarks.Any(r => r.IsRefusal))
                throw mount.Malformed("name", "names no volume of the pod");
            return null;
        }

        return volume with { Volume = volume.Volume with { MountPath = path, ReadOnly = volume.Volume.ReadOnly || mount.Flag("readOnly") } };
    }

    private PinnedVolume? Read(ManifestObject volume)
    {
        var name = volume.Text("name");
        var kinds = volume.Names.Where(n => n != "name").ToList();
        if (kinds is not [var kind])
            throw volume.Malformed("name", "must have exactly one source beside it");
        var source = volume.Child(kind);
        switch (kind)
        {
            case "emptyDir":
                return new PinnedVolume(new VolumeInput(name, "", false, source.OptionalText("medium") == "Memory" ? "memory" : "scratch")
                {
                    SizeBytes = source.OptionalScalar("sizeLimit") is { } size ? Quantity.Bytes(size, source.PlaceOf("sizeLimit")) : 0,
                });
            case "configMap" or "secret" or "downwardAPI":
                return Files(name, FilesOf(kind, source, DefaultModeOf(source)));
            case "projected":
                return Projected(name, source);
            default:
                _review.Refuse(volume.PlaceOf(kind), kind switch
                {
                    "hostPath" => "the host's files are the host's: it can read and change them",
                    "persistentVolumeClaim" or "ephemeral" or "csi" or "nfs" or "iscsi" => "volumes of the cluster are not mounted in guests",
                    _ => "this kind of volume is not known here",
                });
                return null;
        }
    }

    private static PinnedVolume Files(string name, IEnumerable<VolumeFileInput> files) => new(new VolumeInput(name, "", true, "files")
    {
        Files = [.. files.OrderBy(f => f.Path, StringComparer.Ordinal)],
    });

    private PinnedVolume Projected(string name, ManifestObject volume)
    {
        var files = new List<VolumeFileInput>();
        foreach (var source in volume.Children("sources"))
        {
            if (source.Names.ToList() is not [var kind])
                throw source.Malformed("", "must have exactly one source");
            if (kind is "serviceAccountToken" or "clusterTrustBundle" or "podCertificate")
            {
                if (!_options.AllowServiceAccountToken)
                    _review.Refuse(source.PlaceOf(), "the cluster chooses this file's content", "accept that: --allow-service-account-token");
                return new PinnedVolume(new VolumeInput(name, "", true, "files"), IsContentFree: true);
            }

            files.AddRange(FilesOf(kind, source.Child(kind), DefaultModeOf(volume)));
        }

        return Files(name, files);
    }

    private IReadOnlyList<VolumeFileInput> FilesOf(string kind, ManifestObject source, uint mode)
    {
        if (kind == "downwardAPI")
            return [.. source.Children("items").Select(i => Downward(i, mode)).OfType<VolumeFileInput>()];
        var isSecret = kind == "secret";
        var name = source.OptionalText("name") ?? source.Text(isSecret ? "secretName" : "name");
        var data = isSecret ? _set.Secret(name) : kind == "configMap" ? _set.ConfigMap(name) : throw source.Malformed("", "is not known here");
        if (data is null)
        {
            _review.Refuse(source.PlaceOf(), $"\"{name}\" is in none of the files", "give its manifest, too: -f FILE");
            return [];
        }

        var content = DataObject.Read(data);
        if (isSecret && !_options.AllowClusterSecrets && content.Values.Any(v => !SealedSecret.IsSealed((ReadOnlySpan<byte>)v)))
            DataObject.RefuseClusterSecret(_review, source.PlaceOf());
        foreach (var value in content.Values.Where(v => SealedSecret.IsSealed((ReadOnlySpan<byte>)v)))
            _sealed[VolumeFileInput.Of("", 0, value).Digest] = Encoding.UTF8.GetString(value).TrimEnd('\n');
        var items = source.Children("items");
        return items.Count == 0
            ? [.. content.Select(c => FileOf(c.Key, mode, c.Value))]
            : [.. items.Select(i => Item(i, content, mode)).OfType<VolumeFileInput>()];
    }

    private VolumeFileInput? Item(ManifestObject item, SortedDictionary<string, byte[]> content, uint mode)
    {
        if (content.TryGetValue(item.Text("key"), out var bytes))
            return FileOf(PathOf(item), ModeOf(item, "mode") ?? mode, bytes);
        _review.Refuse(item.PlaceOf("key"), "there is no such key");
        return null;
    }

    private VolumeFileInput? Downward(ManifestObject item, uint mode)
    {
        if (item.OptionalChild("fieldRef") is { } field && _facts.Field(field.Text("fieldPath"))?.Known is { } value)
            return FileOf(PathOf(item), ModeOf(item, "mode") ?? mode, Encoding.UTF8.GetBytes(value));
        _review.Refuse(item.PlaceOf(), "its content is not known before the pod runs");
        return null;
    }

    private VolumeFileInput FileOf(string path, uint mode, byte[] content)
    {
        var file = VolumeFileInput.Of(path, mode, content);
        _contents[file.Digest] = content;
        return file;
    }

    private static string PathOf(ManifestObject item)
    {
        var path = item.Text("path");
        return path.Length > 0 && path[0] != '/' && !path.Split('/').Contains("..") ? path : throw item.Malformed("path", "leaves the volume");
    }

    private static uint DefaultModeOf(ManifestObject source) => ModeOf(source, "defaultMode") ?? DefaultMode;

    private static uint? ModeOf(ManifestObject value, string name)
    {
        if (value.OptionalScalar(name) is not { } text)
            return null;
        // YAML 1.1 reads 0644 as octal, and so does kubectl; JSON has only decimal numbers.
        var isOctal = text.Length > 1 && text[0] == '0';
        try
        {
            var mode = isOctal ? Convert.ToUInt32(text.TrimStart('0', 'o').PadLeft(1, '0'), 8) : uint.Parse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture);
            return mode <= 0x1ff ? mode : throw value.Malformed(name, "is more than 0777");
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw value.Malformed(name, "is no file mode");
        }
    }
}
