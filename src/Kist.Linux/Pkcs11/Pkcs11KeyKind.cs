namespace Kist.Linux.Pkcs11;

/// <summary>Kinds of key objects (CK_OBJECT_CLASS).</summary>
public enum Pkcs11KeyKind
{
    /// <summary>CKO_PUBLIC_KEY.</summary>
    Public = 2,

    /// <summary>CKO_PRIVATE_KEY.</summary>
    Private = 3,

    /// <summary>CKO_SECRET_KEY.</summary>
    Secret = 4,
}
