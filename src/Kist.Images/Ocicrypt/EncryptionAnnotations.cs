using Kist.Formats;
using Kist.Oci;

namespace Kist.Images.Ocicrypt;

/// <summary>
/// The annotations of an encrypted layer: org.opencontainers.image.enc.pubopts, and
/// org.opencontainers.image.enc.keys.SCHEME with a comma-separated list of base64 packets, one a recipient.
/// </summary>
public static class EncryptionAnnotations
{
    /// <summary>The public options.</summary>
    public const string PublicOptions = "org.opencontainers.image.enc.pubopts";

    /// <summary>The beginning of the names of the wrapped keys.</summary>
    public const string KeysPrefix = "org.opencontainers.image.enc.keys.";

    /// <summary>The name of the wrapped keys of a key provider.</summary>
    public const string ProviderPrefix = KeysPrefix + "provider.";

    /// <summary>The name of the key provider that CoCo guests know.</summary>
    public const string AttestationAgent = ProviderPrefix + "attestation-agent";

    private const int MaxPackets = 256;
    private const int MaxAnnotationLength = 1024 * 1024;

    /// <summary>Reads the public options of a layer.</summary>
    /// <exception cref="MalformedDataException">They are missing or wrong.</exception>
    public static PublicLayerOptions ReadPublicOptions(Descriptor layer)
    {
        var text = layer.Annotations?.GetValueOrDefault(PublicOptions)
            ?? throw new MalformedDataException("encrypted layer", -1, $"the annotation {PublicOptions} is missing");
        return PublicLayerOptions.Parse(Decode(text, PublicOptions));
    }

    /// <summary>The wrapped keys of a layer: the scheme ("jwe", "provider.attestation-agent", …) and the packet.</summary>
    /// <exception cref="MalformedDataException">A packet is no base64, or there are too many.</exception>
    public static IReadOnlyList<(string Scheme, byte[] Packet)> ReadPackets(Descriptor layer)
    {
        var packets = new List<(string, byte[])>();
        foreach (var (name, value) in layer.Annotations ?? new Dictionary<string, string>())
        {
            if (!name.StartsWith(KeysPrefix, StringComparison.Ordinal))
                continue;
            foreach (var part in value.Split(','))
            {
                if (packets.Count >= MaxPackets)
                    throw new MalformedDataException("encrypted layer", -1, $"more than {MaxPackets} wrapped keys");
                packets.Add((name[KeysPrefix.Length..], Decode(part, name)));
            }
        }

        return packets;
    }

    /// <summary>A layer's annotations with encryption: others are kept, wrapped keys of the same scheme are joined.</summary>
    public static IReadOnlyDictionary<string, string> Write(
        IReadOnlyDictionary<string, string>? others, PublicLayerOptions options, IEnumerable<(string Scheme, byte[] Packet)> packets)
    {
        var annotations = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in others ?? new Dictionary<string, string>())
            annotations[name] = value;
        annotations[PublicOptions] = Convert.ToBase64String(options.ToBytes());
        foreach (var group in packets.GroupBy(p => p.Scheme))
            annotations[KeysPrefix + group.Key] = string.Join(',', group.Select(p => Convert.ToBase64String(p.Packet)));
        return annotations;
    }

    /// <summary>A layer's annotations without those of encryption; null if none are left.</summary>
    public static IReadOnlyDictionary<string, string>? Remove(IReadOnlyDictionary<string, string>? annotations)
    {
        var rest = (annotations ?? new Dictionary<string, string>())
            .Where(a => a.Key != PublicOptions && !a.Key.StartsWith(KeysPrefix, StringComparison.Ordinal))
            .ToDictionary();
        return rest.Count == 0 ? null : rest;
    }

    private static byte[] Decode(string text, string name)
    {
        if (text.Length > MaxAnnotationLength)
            throw new MalformedDataException("encrypted layer", -1, $"the annotation {name} is too long");
        try
        {
            return Convert.FromBase64String(text);
        }
        catch (FormatException e)
        {
            throw new MalformedDataException("encrypted layer", -1, $"the annotation {name} is no base64", e);
        }
    }
}
