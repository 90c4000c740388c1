using System.Runtime.InteropServices;
using Kist.Formats;

namespace Kist.Linux.Enclaves;

/// <summary>
/// Enters an enclave by __vdso_sgx_enter_enclave (asm/sgx.h, vdso_sgx_enter_enclave_t). That function keeps neither r12 to r15
/// nor the control words of the floating-point units from the enclave, so a few instructions of our own lie in between.
/// </summary>
public sealed unsafe partial class EnclaveEntry : IDisposable
{
    /// <summary>The name of the kernel's function.</summary>
    public const string FunctionName = "__vdso_sgx_enter_enclave";

    private const uint Enter = 2, Resume = 3, Exit = 4;
    private const int PageSize = 4096, ReadWrite = 3, ReadExecute = 5, PrivateAnonymous = 0x22;

    private readonly nint _function;
    private readonly byte* _thunk;

    /// <summary>Prepares to enter by a function.</summary>
    /// <param name="function">Address of __vdso_sgx_enter_enclave, or of what takes its place in tests.</param>
    public EnclaveEntry(nint function)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            throw new OperationFailedException("enter enclave", FunctionName, "SGX exists on x86-64 only");
        _function = function;
        var page = mmap(null, PageSize, ReadWrite, PrivateAnonymous, -1, 0);
        if ((nint)page == -1)
            throw SystemCallException.Last("map page", "enclave entry");
        _thunk = (byte*)page;
        Thunk.CopyTo(new Span<byte>(_thunk, PageSize));
        // Never writable and executable at once.
        SystemCallException.Check(mprotect(_thunk, PageSize, ReadExecute), "protect page", "enclave entry");
    }

    /// <summary>
    /// int thunk(rdi, rsi, rdx, ecx, r8, r9, run, function): saves what the calling convention says survives, hands the rest
    /// through.
    /// <code>
    /// push rbp; mov rbp, rsp; push r12; push r13; push r14; push r15; push rbx
    /// sub rsp, 16; stmxcsr [rsp]; fnstcw [rsp+8]
    /// push qword [rbp+16]        run, the seventh argument; the stack is aligned to 16 here
    /// call qword [rbp+24]
    /// cld; lea rsp, [rbp-56]; ldmxcsr [rsp]; fldcw [rsp+8]; add rsp, 16
    /// pop rbx; pop r15; pop r14; pop r13; pop r12; pop rbp; ret
    /// </code>
    /// </summary>
    private static ReadOnlySpan<byte> Thunk =>
    [
        0x55, 0x48, 0x89, 0xe5, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0x53,
        0x48, 0x83, 0xec, 0x10, 0x0f, 0xae, 0x1c, 0x24, 0xd9, 0x7c, 0x24, 0x08,
        0xff, 0x75, 0x10,
        0xff, 0x55, 0x18,
        0xfc, 0x48, 0x8d, 0x65, 0xc8, 0x0f, 0xae, 0x14, 0x24, 0xd9, 0x6c, 0x24, 0x08, 0x48, 0x83, 0xc4, 0x10,
        0x5b, 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0xc3,
    ];

    /// <summary>Finds the kernel's function.</summary>
    /// <exception cref="OperationFailedException">The kernel has no SGX.</exception>
    public static EnclaveEntry Open()
    {
        var function = VirtualObject.FindFunction(FunctionName);
        return function != 0 ? new EnclaveEntry(function)
            : throw new OperationFailedException("enter enclave", FunctionName, "this kernel has no such function", "use a kernel from 5.11 on with CONFIG_X86_SGX");
    }

    /// <summary>Enters by EENTER, or resumes what an exception interrupted by ERESUME.</summary>
    /// <param name="tcs">Address of the TCS.</param>
    /// <param name="resume">True for ERESUME.</param>
    /// <param name="registers">RDI, RSI, RDX, R8 and R9, which reach the enclave unchanged.</param>
    /// <exception cref="OperationFailedException">The kernel refused, or what it says makes no sense.</exception>
    public EnclaveExit Call(ulong tcs, bool resume, (ulong Rdi, ulong Rsi, ulong Rdx, ulong R8, ulong R9) registers)
    {
        var run = new EnclaveRun { Tcs = tcs };
        var call = (delegate* unmanaged<ulong, ulong, ulong, uint, ulong, ulong, EnclaveRun*, nint, int>)_thunk;
        var result = call(registers.Rdi, registers.Rsi, registers.Rdx, resume ? Resume : Enter, registers.R8, registers.R9, &run, _function);
        return result switch
        {
            0 when run.Function == Exit => new EnclaveExit(EnclaveExitKind.Returned, 0, 0, 0),
            -Errno.EFAULT => new EnclaveExit(EnclaveExitKind.Exception, run.ExceptionVector, run.ExceptionErrorCode, run.ExceptionAddress),
            0 => throw new OperationFailedException("enter enclave", $"TCS 0x{tcs:x}", $"it was left by the ENCLU function {run.Function}, which none is"),
            _ => throw new SystemCallException("enter enclave", $"TCS 0x{tcs:x}", -result),
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _ = munmap(_thunk, PageSize);

    [LibraryImport("libc", SetLastError = true)]
    private static partial void* mmap(void* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mprotect(void* address, nuint length, int protection);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(void* address, nuint length);
}
