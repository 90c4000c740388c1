using System.Runtime.InteropServices;

namespace Kist.Linux.Enclaves;

/// <summary>struct sgx_enclave_run (asm/sgx.h): how an enclave is entered, and how it was left.</summary>
[StructLayout(LayoutKind.Sequential)]
unsafe struct EnclaveRun
{
    public const int Size = 256;

    /// <summary>0 8: address of the TCS.</summary>
    public ulong Tcs;

    /// <summary>8 4: the last ENCLU function seen: EENTER 2, ERESUME 3, EEXIT 4.</summary>
    public uint Function;

    /// <summary>12 2: the exception's vector.</summary>
    public ushort ExceptionVector;

    /// <summary>14 2: its error code.</summary>
    public ushort ExceptionErrorCode;

    /// <summary>16 8: the address that triggered it.</summary>
    public ulong ExceptionAddress;

    /// <summary>24 8: called on exit; 0 for none.</summary>
    public ulong UserHandler;

    /// <summary>32 8: for the handler.</summary>
    public ulong UserData;

    /// <summary>40 216: zero.</summary>
    public fixed byte Reserved[216];
}

/// <summary>How an enclave was left.</summary>
public enum EnclaveExitKind
{
    /// <summary>It executed EEXIT.</summary>
    Returned,

    /// <summary>A processor exception arose in it, or at its entrance; it may be resumed once that is dealt with.</summary>
    Exception,
}

/// <summary>How an enclave was left, with the exception's particulars.</summary>
/// <param name="Kind">How.</param>
/// <param name="Vector">The exception's vector (14 is a page fault); 0 without one.</param>
/// <param name="ErrorCode">Its error code.</param>
/// <param name="Address">The address that triggered it.</param>
public readonly record struct EnclaveExit(EnclaveExitKind Kind, int Vector, int ErrorCode, ulong Address);
