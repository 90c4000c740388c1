using System.Security.Cryptography;
using Kist.Formats;

namespace Kist.Linux.Pkcs11;

/// <content>Secrets kept in the token as generic secret objects (CKO_SECRET_KEY of CKK_GENERIC_SECRET), by their label.</content>
public sealed unsafe partial class Pkcs11Session
{
    private const int CreateObject = 20, DestroyObject = 22;
    private const nuint GenericSecret = 0x10, ValueAttribute = 0x11;

    /// <summary>The longest secret that is read or written.</summary>
    public const int MaxSecretSize = 64 * 1024;

    /// <summary>Keeps a secret under a label. Needs a writable session; an object of the same label stays.</summary>
    /// <exception cref="OperationFailedException">The token does not take it.</exception>
    public void CreateSecret(string label, ReadOnlySpan<byte> secret)
    {
        var text = System.Text.Encoding.UTF8.GetBytes(label);
        byte yes = 1, no = 0;
        nuint kind = (nuint)Pkcs11KeyKind.Secret, type = GenericSecret, made;
        fixed (byte* name = text)
        fixed (byte* value = secret)
        {
            ReadOnlySpan<Attribute> template =
            [
                Of(ClassAttribute, &kind), Of(KeyTypeAttribute, &type),
                Flag(TokenAttribute, &yes), Flag(PrivateAttribute, &yes), Flag(SensitiveAttribute, &no), Flag(ExtractableAttribute, &yes),
                new Attribute { Type = LabelAttribute, Value = name, Length = (nuint)text.Length },
                new Attribute { Type = ValueAttribute, Value = value, Length = (nuint)secret.Length },
            ];
            fixed (Attribute* t = template)
            {
                _module.Check(
                    ((delegate* unmanaged<nuint, Attribute*, nuint, nuint*, nuint>)_module.Function(CreateObject))(_session, t, (nuint)template.Length, &made), "keep secret");
            }
        }
    }

    /// <summary>The value of a secret object, in a buffer that the caller wipes.</summary>
    /// <exception cref="OperationFailedException">The token does not give it out, or it is too long.</exception>
    public byte[] ReadSecret(nuint secret)
    {
        var buffer = new byte[MaxSecretSize];
        try
        {
            fixed (byte* value = buffer)
            {
                var query = new Attribute { Type = ValueAttribute, Value = value, Length = MaxSecretSize };
                _module.Check(((delegate* unmanaged<nuint, nuint, Attribute*, nuint, nuint>)_module.Function(GetAttributeValue))(_session, secret, &query, 1), "read secret");
                return query.Length <= MaxSecretSize ? buffer[..(int)query.Length] : throw new OperationFailedException("read secret", "value", "the token does not give it out");
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    /// <summary>Destroys an object. Needs a writable session.</summary>
    public void Destroy(nuint handle) =>
        _module.Check(((delegate* unmanaged<nuint, nuint, nuint>)_module.Function(DestroyObject))(_session, handle), "destroy object");
}
