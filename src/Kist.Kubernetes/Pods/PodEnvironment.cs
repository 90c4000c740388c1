using System.Text;
using System.Text.RegularExpressions;
using Kist.Formats;
using Kist.Host;
using Kist.Images.Secrets;
using Kist.Pods.Protocol;

namespace Kist.Kubernetes;

/// <summary>
/// A container's environment: the image's, then what the manifest says, then what Kubernetes adds. Values that are known only
/// when the pod runs become patterns.
/// </summary>
sealed partial class PodEnvironment(ManifestSet set, PodFacts facts, GenerateOptions options, ManifestReview review)
{
    /// <summary>Kubernetes' own service is announced to every pod.</summary>
    private const string ApiServerPattern = "KUBERNETES_(SERVICE_HOST|SERVICE_PORT(_HTTPS)?|PORT(_443_TCP(_(PROTO|PORT|ADDR))?)?)";

    /// <summary>Services of the namespace are, unless enableServiceLinks is false.</summary>
    private const string ServicePattern =
        "[A-Z][A-Z0-9_]*_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)";

    private const string ServiceValue = "((tcp|udp|sctp)://)?[0-9a-zA-Z.:\\[\\]-]*";

    private readonly Dictionary<string, RuntimeText> _declared = new(StringComparer.Ordinal);

    /// <summary>The sealed secrets in it.</summary>
    public IEnumerable<string> Sealed => _declared.Values.Select(v => v.Known).OfType<string>().Where(t => SealedSecret.IsSealed(t));

    /// <summary>Reads the manifest's part; call it before the others.</summary>
    public void Read(ManifestObject container)
    {
        foreach (var source in container.Children("envFrom"))
            ReadAll(source);
        foreach (var entry in container.Children("env"))
            _declared[entry.Text("name")] = ValueOf(entry);
    }

    /// <summary>Expands $(NAME) in an argument.</summary>
    public RuntimeText Expand(string text, string place) => VariableExpansion.Expand(text, name => LookUp(name, place));

    /// <summary>All of it, for the policy.</summary>
    /// <param name="image">What the image says.</param>
    /// <param name="enableServiceLinks">As the pod says.</param>
    public IReadOnlyList<PinnedText> Pin(ImageProcessDefaults image, bool enableServiceLinks)
    {
        var process = ContainerProcess.Merge(image with { Entrypoint = ["x"] }, new ProcessOverrides(null, [], [], "", ""));
        var pinned = process.Env.Where(e => !_declared.ContainsKey(e[..e.IndexOf('=', StringComparison.Ordinal)])).Select(PinnedText.Exactly).ToList();
        pinned.AddRange(Declared());
        if (options.IsLocal)
            return pinned;
        pinned.Add(PinnedText.Pattern("", $"{(enableServiceLinks ? ServicePattern : ApiServerPattern)}={ServiceValue}", false, "KUBERNETES_SERVICE_HOST=10.96.0.1"));
        if (!_declared.ContainsKey("HOSTNAME"))
            pinned.Add(RuntimeText.Literal("HOSTNAME=").Append(facts.Hostname).ToPinned(isRequired: false));
        return pinned;
    }

    /// <summary>What the manifest itself declares.</summary>
    public IEnumerable<PinnedText> Declared() => _declared.Select(d => RuntimeText.Literal($"{d.Key}=").Append(d.Value).ToPinned());

    private RuntimeText ValueOf(ManifestObject entry)
    {
        if (entry.OptionalChild("valueFrom") is not { } from)
            return Expand(entry.OptionalText("value") ?? "", entry.PlaceOf("value"));
        if (entry.Has("value"))
            throw entry.Malformed("valueFrom", "and value are both given");
        if (from.OptionalChild("fieldRef") is { } field)
            return FieldOf(field);
        if (from.OptionalChild("configMapKeyRef") is { } configMap)
            return KeyOf(set.ConfigMap(configMap.Text("name")), configMap, "ConfigMap") is { } bytes ? RuntimeText.Literal(bytes) : RuntimeText.Empty;
        if (from.OptionalChild("secretKeyRef") is { } secret)
            return KeyOf(set.Secret(secret.Text("name")), secret, "Secret") is { } bytes ? SecretOf(bytes, secret.PlaceOf()) : RuntimeText.Empty;
        if (from.Has("resourceFieldRef"))
            return RuntimeText.Pattern("[0-9]+", "1");
        review.Refuse(from.PlaceOf(), "such a source of values is not known here");
        return RuntimeText.Empty;
    }

    private RuntimeText FieldOf(ManifestObject field)
    {
        var path = field.Text("fieldPath");
        if (facts.Field(path) is { } value)
            return value;
        review.Refuse(field.PlaceOf("fieldPath"), $"{path} has no value that is known before the pod runs");
        return RuntimeText.Empty;
    }

    private void ReadAll(ManifestObject source)
    {
        var prefix = source.OptionalText("prefix") ?? "";
        var isSecret = source.Has("secretRef");
        var reference = source.OptionalChild(isSecret ? "secretRef" : "configMapRef");
        if (reference is null)
        {
            review.Refuse(source.PlaceOf(), "is neither a ConfigMap nor a Secret");
            return;
        }

        var name = reference.Text("name");
        if ((isSecret ? set.Secret(name) : set.ConfigMap(name)) is not { } data)
        {
            RefuseMissing(reference, isSecret ? "Secret" : "ConfigMap", name);
            return;
        }

        foreach (var (key, bytes) in DataObject.Read(data))
        {
            if (!VariableName().IsMatch(prefix + key))
                review.Refuse(reference.PlaceOf("name"), $"\"{prefix}{key}\" is no name of a variable");
            else
                _declared[prefix + key] = isSecret ? SecretOf(TextOf(bytes, reference), reference.PlaceOf()) : RuntimeText.Literal(TextOf(bytes, reference));
        }
    }

    private string? KeyOf(ManifestObject? data, ManifestObject reference, string kind)
    {
        if (data is null)
        {
            RefuseMissing(reference, kind, reference.Text("name"));
            return null;
        }

        if (DataObject.Read(data).TryGetValue(reference.Text("key"), out var bytes))
            return TextOf(bytes, reference);
        review.Refuse(reference.PlaceOf("key"), $"the {kind} has no such key");
        return null;
    }

    private RuntimeText SecretOf(string text, string place)
    {
        if (SealedSecret.IsSealed(text))
            return RuntimeText.Literal(text);
        if (!options.AllowClusterSecrets)
            DataObject.RefuseClusterSecret(review, place);
        return RuntimeText.Secret(text);
    }

    private void RefuseMissing(ManifestObject reference, string kind, string name)
    {
        if (reference.Flag("optional"))
            review.Refuse(reference.PlaceOf("optional"), $"an optional {kind} may appear later and change what runs", "give it, or take the reference out");
        else
            review.Refuse(reference.PlaceOf("name"), $"the {kind} \"{name}\" is in none of the files", "give its manifest, too: -f FILE");
    }

    private RuntimeText? LookUp(string name, string place)
    {
        if (_declared.TryGetValue(name, out var value))
            return value;
        if (VariableExpansion.IsServiceVariable(name))
            review.Refuse(place, $"$({name}) depends on the services that exist when the pod starts");
        return null;
    }

    private static string TextOf(byte[] bytes, ManifestObject reference)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw new MalformedDataException("manifest", -1, $"{reference.PlaceOf()}: the value is no text");
        }
    }

    [GeneratedRegex(@"\A[A-Za-z_.-][A-Za-z0-9_.-]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex VariableName();
}
