using System.Runtime.InteropServices;
using Kist.Formats;

namespace Kist.Linux.Pkcs11;

/// <summary>A logged-in session with a token.</summary>
public sealed unsafe partial class Pkcs11Session : IDisposable
{
    private const int CloseSession = 13, Login = 18, GetAttributeValue = 24, FindObjectsInit = 26, FindObjects = 27, FindObjectsFinal = 28, SignInit = 42, Sign_ = 43;
    private const nuint User = 1, AlreadyLoggedIn = 0x100;
    private const nuint ClassAttribute = 0, LabelAttribute = 3, IdAttribute = 0x102, ModulusAttribute = 0x120, ExponentAttribute = 0x122;
    private const nuint Sha256RsaPkcs = 0x40;
    private const int MaxAttributeSize = 1024;

    private readonly Pkcs11Module _module;
    private readonly nuint _session;

    internal Pkcs11Session(Pkcs11Module module, nuint session, ReadOnlySpan<byte> pin)
    {
        _module = module;
        _session = session;
        if (pin.IsEmpty)
            return;
        fixed (byte* p = pin)
        {
            var result = ((delegate* unmanaged<nuint, nuint, byte*, nuint, nuint>)module.Function(Login))(session, User, p, (nuint)pin.Length);
            if (result == AlreadyLoggedIn)
                return;
            try
            {
                module.Check(result, "log in");
            }
            catch
            {
                Dispose();
                throw;
            }
        }
    }

    /// <summary>The one key of this kind and label.</summary>
    /// <exception cref="OperationFailedException">There is none, or more than one.</exception>
    public nuint FindKey(Pkcs11KeyKind kind, string label) => FindKey(kind, label, []);

    /// <summary>The one key of this kind, label and identifier.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="label">CKA_LABEL, or null for any.</param>
    /// <param name="id">CKA_ID, or empty for any.</param>
    /// <exception cref="OperationFailedException">There is none, or more than one.</exception>
    public nuint FindKey(Pkcs11KeyKind kind, string? label, ReadOnlySpan<byte> id)
    {
        var text = System.Text.Encoding.UTF8.GetBytes(label ?? "");
        var value = (nuint)kind;
        var found = stackalloc nuint[2];
        nuint count;
        fixed (byte* name = text)
        fixed (byte* identifier = id)
        {
            var template = stackalloc Attribute[3];
            nuint used = 0;
            template[used++] = new Attribute { Type = ClassAttribute, Value = &value, Length = (nuint)sizeof(nuint) };
            if (label is not null)
                template[used++] = new Attribute { Type = LabelAttribute, Value = name, Length = (nuint)text.Length };
            if (!id.IsEmpty)
                template[used++] = new Attribute { Type = IdAttribute, Value = identifier, Length = (nuint)id.Length };
            _module.Check(((delegate* unmanaged<nuint, Attribute*, nuint, nuint>)_module.Function(FindObjectsInit))(_session, template, used), "find key");
            _module.Check(((delegate* unmanaged<nuint, nuint*, nuint, nuint*, nuint>)_module.Function(FindObjects))(_session, found, 2, &count), "find key");
            _module.Check(((delegate* unmanaged<nuint, nuint>)_module.Function(FindObjectsFinal))(_session), "find key");
        }

        var subject = label ?? Convert.ToHexStringLower(id);
        return count switch
        {
            1 => found[0],
            0 => throw new OperationFailedException("find key", subject, $"the token has no {kind.ToString().ToLowerInvariant()} key of this name"),
            _ => throw new OperationFailedException("find key", subject, "the token has more than one key of this name", "give the keys different labels"),
        };
    }

    /// <summary>Modulus and public exponent of an RSA key, most significant byte first, without leading zeros.</summary>
    public (byte[] Modulus, byte[] Exponent) ReadRsa(nuint key) => (Read(key, ModulusAttribute), Read(key, ExponentAttribute));

    /// <summary>Signs by RSASSA-PKCS1-v1_5 with SHA-256.</summary>
    public byte[] Sign(nuint key, ReadOnlySpan<byte> message)
    {
        var mechanism = new Mechanism { Type = Sha256RsaPkcs };
        _module.Check(((delegate* unmanaged<nuint, Mechanism*, nuint, nuint>)_module.Function(SignInit))(_session, &mechanism, key), "start signature");
        var signature = new byte[MaxAttributeSize];
        nuint length = MaxAttributeSize;
        fixed (byte* m = message)
        fixed (byte* s = signature)
            _module.Check(((delegate* unmanaged<nuint, byte*, nuint, byte*, nuint*, nuint>)_module.Function(Sign_))(_session, m, (nuint)message.Length, s, &length), "sign");
        return signature[..(int)length];
    }

    /// <inheritdoc/>
    public void Dispose() => _ = ((delegate* unmanaged<nuint, nuint>)_module.Function(CloseSession))(_session);

    private byte[] Read(nuint key, nuint attribute)
    {
        var value = stackalloc byte[MaxAttributeSize];
        var query = new Attribute { Type = attribute, Value = value, Length = MaxAttributeSize };
        _module.Check(((delegate* unmanaged<nuint, nuint, Attribute*, nuint, nuint>)_module.Function(GetAttributeValue))(_session, key, &query, 1), "read key");
        return query.Length <= MaxAttributeSize
            ? new ReadOnlySpan<byte>(value, (int)query.Length).TrimStart((byte)0).ToArray()
            : throw new OperationFailedException("read key", "attribute", "the token does not give it out");
    }

    /// <summary>CK_ATTRIBUTE.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Attribute
    {
        public nuint Type;
        public void* Value;
        public nuint Length;
    }

    /// <summary>CK_MECHANISM.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Mechanism
    {
        public nuint Type;
        public void* Parameter;
        public nuint ParameterLength;
    }
}
