using System.Security.Cryptography;
using Kist.Formats;
using Kist.KeyBroker.Protocol;
using Kist.KeyBroker.Secrets;
using Kist.Linux.Pkcs11;

namespace Kist.KeyBroker.Plugins;

/// <summary>
/// Trustee's plugin for a PKCS#11 token. Secrets kept in the token: <c>resource/REPOSITORY/TYPE/TAG</c> (GET for workloads, POST
/// and DELETE for administrators), objects labelled with their path. Keys wrapped by an RSA key of the token: <c>wrap-key</c>,
/// where administrators POST what is to be wrapped, by RSA-OAEP with SHA-256, and workloads GET with the wrapped key as body.
/// A POST replaces, where Trustee's makes a second object of the same name.
/// </summary>
public sealed class Pkcs11Plugin : IBrokerPlugin, IDisposable
{
    private const int MaxPinBytes = 256;

    private readonly Pkcs11Module _module;
    private readonly Pkcs11Session _session;
    private readonly string _wrappingKey;
    private readonly HashAlgorithmName _hash;

    private Pkcs11Plugin(Pkcs11Module module, Pkcs11Session session, string wrappingKey, HashAlgorithmName hash) =>
        (_module, _session, _wrappingKey, _hash) = (module, session, wrappingKey, hash);

    /// <inheritdoc/>
    public string Name => "pkcs11";

    /// <summary>Opens the token.</summary>
    /// <param name="location">As of a master key: <c>pkcs11:token=LABEL;object=WRAPPING-KEY?module-path=LIBRARY&amp;pin-source=FILE</c>.</param>
    /// <exception cref="OperationFailedException">There is no such token, or the PIN is wrong.</exception>
    /// <exception cref="MalformedDataException">The text is no location.</exception>
    public static Pkcs11Plugin Open(string location) => Open(location, HashAlgorithmName.SHA256);

    /// <summary>The same with another hash of OAEP: SoftHSM has SHA-1 only.</summary>
    internal static Pkcs11Plugin Open(string location, HashAlgorithmName hash)
    {
        var (library, token, key, pinFile) = MasterKeyLocation.ReadPkcs11(location);
        using var pin = SecretFiles.ReadLine(pinFile, MaxPinBytes, "read the token's PIN");
        lock (Pkcs11MasterKey.Library)
        {
            var module = Pkcs11Module.Load(library);
            try
            {
                return new Pkcs11Plugin(module, module.Open(token, pin.Span, writable: true), key, hash);
            }
            catch
            {
                module.Dispose();
                throw;
            }
        }
    }

    /// <inheritdoc/>
    public PluginAudience? AudienceOf(string method, IReadOnlyList<string> path) => (method, path) switch
    {
        ("GET", ["wrap-key"]) => PluginAudience.Workloads,
        ("POST", ["wrap-key"]) => PluginAudience.Administrators,
        ("GET", ["resource", _, _, _]) => PluginAudience.Workloads,
        ("POST" or "DELETE", ["resource", _, _, _]) => PluginAudience.Administrators,
        _ => null,
    };

    /// <inheritdoc/>
    public Task<byte[]> HandleAsync(PluginRequest request, CancellationToken cancellationToken)
    {
        // One session, one caller at a time.
        lock (Pkcs11MasterKey.Library)
            return Task.FromResult(request.Path is ["wrap-key"] ? Key(request) : Resource(request));
    }

    /// <summary>Ends the session.</summary>
    public void Dispose()
    {
        lock (Pkcs11MasterKey.Library)
        {
            _session.Dispose();
            _module.Dispose();
        }
    }

    private byte[] Key(PluginRequest request)
    {
        var (modulus, exponent) = _session.ReadRsa(_session.FindKey(Pkcs11KeyKind.Public, _wrappingKey));
        using var rsa = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent });
        if (request.Method == "POST")
        {
            // RFC 8017, section 7.1.1: what fits beside two hashes and two bytes.
            var digest = _hash == HashAlgorithmName.SHA1 ? SHA1.HashSizeInBytes : SHA256.HashSizeInBytes;
            if (request.Body.Length is 0 || request.Body.Length > modulus.Length - (2 * digest) - 2)
                throw new PluginRefusedException("the key to be wrapped is empty, or longer than the wrapping key can take");
            return rsa.Encrypt(request.Body.Span, RSAEncryptionPadding.CreateOaep(_hash));
        }

        if (request.Body.Length != modulus.Length)
            throw new PluginRefusedException("the body is not a key that was wrapped here");
        try
        {
            return _session.DecryptOaep(_session.FindKey(Pkcs11KeyKind.Private, _wrappingKey), request.Body.Span, _hash);
        }
        catch (OperationFailedException)
        {
            throw new PluginRefusedException("the body is not a key that was wrapped here");
        }
    }

    private byte[] Resource(PluginRequest request)
    {
        var label = string.Join('/', request.Path.Skip(1));
        if (!ResourceUri.TryParse(label, out _))
            throw new PluginRefusedException("a resource's path is repository/type/tag");
        switch (request.Method)
        {
            case "GET":
                return _session.ReadSecret(Find(label) ?? throw new PluginRefusedException("there is no such resource", isMissing: true));
            case "POST":
                if (request.Body.Length is 0 or > Pkcs11Session.MaxSecretSize)
                    throw new PluginRefusedException($"a token keeps secrets of 1 to {Pkcs11Session.MaxSecretSize} bytes");
                var before = Find(label);
                _session.CreateSecret(label, request.Body.Span);
                if (before is { } old)
                    _session.Destroy(old);
                return [];
            default:
                _session.Destroy(Find(label) ?? throw new PluginRefusedException("there is no such resource", isMissing: true));
                return [];
        }
    }

    private nuint? Find(string label)
    {
        try
        {
            return _session.FindKey(Pkcs11KeyKind.Secret, label);
        }
        catch (OperationFailedException)
        {
            return null;
        }
    }
}
