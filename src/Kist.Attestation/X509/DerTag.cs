namespace Kist.Attestation.X509;

/// <summary>Tags of X.690 that certificates and CRLs use.</summary>
internal static class DerTag
{
    public const byte Boolean = 0x01;
    public const byte Integer = 0x02;
    public const byte BitString = 0x03;
    public const byte OctetString = 0x04;
    public const byte Null = 0x05;
    public const byte ObjectIdentifier = 0x06;
    public const byte Enumerated = 0x0a;
    public const byte Utf8String = 0x0c;
    public const byte Sequence = 0x30;
    public const byte Set = 0x31;
    public const byte PrintableString = 0x13;
    public const byte TeletexString = 0x14;
    public const byte Ia5String = 0x16;
    public const byte UtcTime = 0x17;
    public const byte GeneralizedTime = 0x18;
    public const byte BmpString = 0x1e;

    /// <summary>Constructed, context-specific [n].</summary>
    public static byte Context(int n) => (byte)(0xa0 | n);

    /// <summary>Primitive, context-specific [n].</summary>
    public static byte ContextPrimitive(int n) => (byte)(0x80 | n);
}
