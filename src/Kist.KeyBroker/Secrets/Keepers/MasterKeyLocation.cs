using Kist.Formats;

namespace Kist.KeyBroker.Secrets;

/// <summary>
/// Where a master key is:
/// <code>
/// PATH or file:PATH
/// pkcs11:token=LABEL;object=LABEL?module-path=LIBRARY&amp;pin-source=FILE          (RFC 7512)
/// vault:https://HOST:PORT/MOUNT/KEY?token-file=FILE[&amp;ca-file=PEM][&amp;namespace=NAME]
/// awskms:KEY-ID-OR-ARN?region=REGION[&amp;credentials-file=FILE][&amp;profile=NAME][&amp;endpoint=URL][&amp;ca-file=PEM]
/// </code>
/// It names files with secrets, and holds none: it may be stored and shown.
/// </summary>
public static class MasterKeyLocation
{
    private const int MaxLength = 2048;

    /// <summary>Opens a key, and wraps and unwraps something with it, so that a wrong right or name shows at once.</summary>
    /// <exception cref="OperationFailedException">There is no such key, or it may not be used.</exception>
    /// <exception cref="MalformedDataException">The text is no location.</exception>
    public static IMasterKey Open(string location, TimeProvider time) => Check(Find(location, time, create: false));

    /// <summary>Makes a key where there is none: in a file or in a PKCS#11 token.</summary>
    /// <exception cref="OperationFailedException">There is one, or it is a service's to make.</exception>
    /// <exception cref="MalformedDataException">The text is no location.</exception>
    public static IMasterKey Create(string location, TimeProvider time) => Check(Find(location, time, create: true));

    private static IMasterKey Find(string location, TimeProvider time, bool create)
    {
        if (location.Length is 0 or > MaxLength || location.Any(char.IsControl))
            throw Malformed("it is empty, too long, or has control characters");
        if (location.StartsWith("pkcs11:", StringComparison.Ordinal))
            return Pkcs11(location["pkcs11:".Length..], create);
        if (location.StartsWith("vault:", StringComparison.Ordinal))
            return create ? throw Foreign(location) : Vault(location["vault:".Length..]);
        if (location.StartsWith("awskms:", StringComparison.Ordinal))
            return create ? throw Foreign(location) : Kms(location["awskms:".Length..], time);
        var path = location.StartsWith("file:", StringComparison.Ordinal) ? location["file:".Length..] : location;
        return create ? FileMasterKey.Create(path) : FileMasterKey.Load(path);
    }

    private static IMasterKey Check(IMasterKey key)
    {
        try
        {
            using var probe = SecretBytes.Random(AesGcmBox.KeyBytes);
            using var back = key.Unwrap(key.Wrap(probe.Span, "kist probe"u8), "kist probe"u8);
            return back.Span.SequenceEqual(probe.Span) ? key : throw new OperationFailedException("open the master key", key.Id, "what it unwraps is not what it wrapped");
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private static Pkcs11MasterKey Pkcs11(string text, bool create)
    {
        var (library, token, key, pinFile) = ReadPkcs11($"pkcs11:{text}");
        return Pkcs11MasterKey.Open(library, token, key, pinFile, create);
    }

    /// <summary>The parts of the location of a key in a token.</summary>
    /// <exception cref="MalformedDataException">The text is none.</exception>
    internal static (string Library, string Token, string Key, string PinFile) ReadPkcs11(string location)
    {
        if (!location.StartsWith("pkcs11:", StringComparison.Ordinal))
            throw Malformed("a key in a token is named pkcs11:token=…;object=…?module-path=…&pin-source=…");
        var (path, query) = Split(location["pkcs11:".Length..]);
        var attributes = Pairs(path, ';', ["token", "object"]);
        var options = Pairs(query, '&', ["module-path", "pin-source"]);
        return (Required(options, "module-path"), Required(attributes, "token"), Required(attributes, "object"), Required(options, "pin-source"));
    }

    private static TransitMasterKey Vault(string text)
    {
        var (path, query) = Split(text);
        var options = Pairs(query, '&', ["token-file", "ca-file", "namespace"]);
        if (!Uri.TryCreate(path, UriKind.Absolute, out var address) || address.UserInfo.Length > 0)
            throw Malformed("after vault: comes the server's address, the engine's mount and the key's name");
        var parts = address.AbsolutePath.Trim('/').Split('/');
        if (parts.Length < 2 || parts.Any(p => p.Length == 0 || !p.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')))
            throw Malformed("after vault: comes the server's address, the engine's mount and the key's name");
        return new TransitMasterKey(
            new Uri(address.GetLeftPart(UriPartial.Authority)), string.Join('/', parts[..^1]), parts[^1], Required(options, "token-file"),
            options.GetValueOrDefault("ca-file"), options.GetValueOrDefault("namespace"));
    }

    private static KmsMasterKey Kms(string text, TimeProvider time)
    {
        var (key, query) = Split(text);
        var options = Pairs(query, '&', ["region", "credentials-file", "profile", "endpoint", "ca-file"]);
        Uri? endpoint = null;
        if (options.TryGetValue("endpoint", out var written) && !Uri.TryCreate(written, UriKind.Absolute, out endpoint))
            throw Malformed("the endpoint is no address");
        var (file, profile) = (options.GetValueOrDefault("credentials-file"), options.GetValueOrDefault("profile") ?? "default");
        return new KmsMasterKey(key, Required(options, "region"), endpoint, options.GetValueOrDefault("ca-file"), () => AwsCredentials.Read(file, profile), time);
    }

    private static (string Path, string Query) Split(string text) =>
        text.IndexOf('?') is >= 0 and var at ? (text[..at], text[(at + 1)..]) : (text, "");

    private static Dictionary<string, string> Pairs(string text, char separator, string[] known)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in text.Split(separator, StringSplitOptions.RemoveEmptyEntries))
        {
            var at = pair.IndexOf('=');
            var name = at < 0 ? pair : pair[..at];
            if (at < 0 || !known.Contains(name) || !pairs.TryAdd(name, Uri.UnescapeDataString(pair[(at + 1)..])))
                throw Malformed($"\"{name}\" is not known here, has no value, or comes twice; known are {string.Join(", ", known)}");
        }

        return pairs;
    }

    private static string Required(Dictionary<string, string> pairs, string name) =>
        pairs.TryGetValue(name, out var value) && value.Length > 0 ? value : throw Malformed($"\"{name}\" is missing");

    private static OperationFailedException Foreign(string location) => new(
        "make master key", location, "keys of a service are made there", "make it with the service's own tools, then name it");

    private static MalformedDataException Malformed(string why) => new("master key's location", -1, why);
}
